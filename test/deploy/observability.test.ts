// Dashboard and alerts use only metrics and labels that the service has.
import { spawnSync } from 'node:child_process'
import t, { type Test } from 'tap'
import { createMetrics } from '../../src/metrics.ts'
import { parseProjectFile, readProjectFile } from '../support/deploy-files.ts'

const { registry } = createMetrics(() => ({ state: 'none', consecutiveFailures: 0, notices: [] }))
const metrics = new Map(
  registry.getMetricsAsArray().flatMap(metric => {
    const labels = new Set(['labelNames' in metric ? metric.labelNames : []].flat() as string[])
    const names = String(metric.type) === 'histogram' ? ['_bucket', '_count', '_sum'].map(suffix => metric.name + suffix) : [metric.name]
    return names.map((name): [string, Set<string>] => [name, labels])
  })
)
/** Labels that Prometheus adds, and the label of a histogram's buckets. */
const OTHER_LABELS = new Set(['instance', 'job', 'le'])
const METRIC = /\b((?:cognito|hasura|http|graphql|answer_cache|stored_operation|rate_limit|nodejs|process)_[a-z0-9_]+)(?:\{([^}]*)\})?/g

function checkExpression(t: Test, expression: string): void {
  const found = [...expression.matchAll(METRIC)]
  t.ok(found.length > 0, expression)
  for (const [, name = '', matchers = ''] of found) {
    t.ok(metrics.has(name), `${name} exists`)
    for (const [, label = ''] of matchers.matchAll(/(\w+)(?:=~|!~|!=|=)"/g))
      t.ok(metrics.get(name)?.has(label) || OTHER_LABELS.has(label), `${name} has ${label}`)
  }
  const labels = new Set([...metrics].filter(([name]) => expression.includes(name)).flatMap(([, names]) => [...names]))
  for (const [, by = ''] of expression.matchAll(/\b(?:by|on) \(([^)]*)\)/g))
    for (const label of by.split(/,\s*/)) t.ok(labels.has(label) || OTHER_LABELS.has(label), `by ${label}`)
}

type Rule = { alert: string; expr: string }
const { groups } = parseProjectFile<{ groups: { rules: Rule[] }[] }>('deploy/prometheus/alerts.yaml')
const rules = groups.flatMap(group => group.rules)

t.test('alerts use existing metrics and labels', async t => {
  for (const { expr } of rules) checkExpression(t, expr)
})

t.test("the Prometheus operator's rules are the same", async t => {
  const { spec } = parseProjectFile<{ spec: unknown }>('deploy/kubernetes/prometheus-rule.yaml')
  t.same(spec, { groups })
})

t.test('no latency includes probes', async t => {
  const texts = [readProjectFile('deploy/grafana/dashboard.json').replaceAll('\\"', '"'), readProjectFile('deploy/prometheus/alerts.yaml')]
  const latencies = texts.flatMap(text => text.match(/http_request_duration_seconds_bucket\{?[^}[]*/g) ?? [])
  t.ok(latencies.length > 3)
  for (const selector of latencies) t.match(selector, 'route!~"/health/.*"')
})

t.test('each alert has a section in the runbook, and each section an alert', async t => {
  const headings = [...readProjectFile('docs/operating.md').matchAll(/^### (Gateway\w+)$/gm)].map(([, name]) => name)
  t.strictSame(
    headings,
    rules.map(({ alert }) => alert)
  )
})

t.test('the panels of the dashboard use existing metrics and labels', async t => {
  type Panel = { title: string; targets: { expr: string }[]; gridPos: { x: number; y: number; w: number; h: number } }
  const { panels } = parseProjectFile<{ panels: Panel[] }>('deploy/grafana/dashboard.json')
  for (const { targets } of panels) for (const { expr } of targets) checkExpression(t, expr.replaceAll('$__rate_interval', '5m'))
  const cells = panels.map(({ gridPos: { x, y } }) => `${x},${y}`)
  t.equal(new Set(cells).size, panels.length, 'no panel lies on another')
})

const hasPromtool = spawnSync('promtool', ['--version']).status === 0
t.test('promtool accepts the rules', { skip: !hasPromtool && 'promtool is not installed' }, async t => {
  const { status, stderr } = spawnSync('promtool', ['check', 'rules', 'deploy/prometheus/alerts.yaml'], { encoding: 'utf8' })
  t.equal(status, 0, stderr)
})
