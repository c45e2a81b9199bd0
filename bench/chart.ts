// A bar chart as SVG, in colours that are readable on light and dark pages.
import { writeFileSync } from 'node:fs'

/** One bar. */
type Bar = { label: string; value: number; isOurs: boolean }

const WIDTH = 900
const LABEL_WIDTH = 430
const VALUE_WIDTH = 80
const ROW_HEIGHT = 30
const BAR_HEIGHT = 18
const HEAD_HEIGHT = 40

const STYLE = `text{font:13px system-ui,sans-serif;fill:#1f2328}.head{font-weight:600}.bar{fill:#8c959f}.ours{fill:#0969da}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.bar{fill:#6e7681}.ours{fill:#4493f8}}`

/** Draws the bars from the longest to the shortest. */
export function writeChart(path: string, title: string, bars: readonly Bar[]): void {
  const sorted = [...bars].sort((a, b) => b.value - a.value)
  const longest = Math.max(...bars.map(({ value }) => value))
  const height = HEAD_HEIGHT + sorted.length * ROW_HEIGHT
  const rows = sorted.map(({ label, value, isOurs }, index) => {
    const y = HEAD_HEIGHT + index * ROW_HEIGHT
    const width = Math.max(1, (value / longest) * (WIDTH - LABEL_WIDTH - VALUE_WIDTH))
    const middle = y + BAR_HEIGHT / 2 + 5
    return [
      `<text x="${LABEL_WIDTH - 10}" y="${middle}" text-anchor="end">${escaped(label)}</text>`,
      `<rect class="${isOurs ? 'ours' : 'bar'}" x="${LABEL_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" rx="3"/>`,
      `<text x="${(LABEL_WIDTH + width + 8).toFixed(1)}" y="${middle}">${Math.round(value).toLocaleString('en')}</text>`
    ].join('\n')
  })
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
<text class="head" x="10" y="20">${escaped(title)}</text>
${rows.join('\n')}
</svg>
`
  writeFileSync(path, svg)
}

const escaped = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;')
