// Runs in the browser: starts GraphiQL with this service's /execute-graphql. What the user types is stored only in the browser.
const folder = document.currentScript.src.replace(/[^/]*$/, '')
const workers = { editorWorkerService: 'editor', json: 'json', graphql: 'graphql' }

self.MonacoEnvironment = { globalAPI: false, getWorkerUrl: (_, label) => `${folder}${workers[label]}.worker.js` }

const ACCEPT = 'application/graphql-response+json, application/json, text/event-stream'

/** Yields the answers of a subscription until it completes; the request ends when the reader stops. */
async function* readEvents(body) {
  let text = ''
  for await (const part of body.pipeThrough(new TextDecoderStream())) {
    const events = (text + part).split('\n\n')
    text = events.pop()
    for (const event of events) {
      const lines = event.split('\n')
      if (lines.includes('event: complete')) return
      const data = lines.filter(line => line.startsWith('data: ')).map(line => line.slice(6))
      if (data.length > 0) yield JSON.parse(data.join('\n'))
    }
  }
}

async function execute({ query, variables, operationName }, { headers } = {}) {
  const answer = await fetch('/execute-graphql', {
    method: 'POST',
    // Sends the Basic credentials that the browser has for the page.
    credentials: 'same-origin',
    headers: { accept: ACCEPT, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables, operationName })
  })
  if (answer.headers.get('content-type')?.startsWith('text/event-stream')) return readEvents(answer.body)
  // In this page JSON.parse keeps numbers beyond 2^53, which answer.json() does not.
  return JSON.parse(await answer.text())
}

const example = `# Ctrl-Enter runs the query, Ctrl-Space completes.
# Enter credentials below, under Headers:
# {"x-api-key": "…"}
query {
  __typename
}
`

self.YogaGraphiQL.renderYogaGraphiQL(document.querySelector('#root'), {
  title: 'Explorer',
  logo: '<svg viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" stroke-width="2"><path d="M4 6l8-4 8 4v12l-8 4-8-4z"/></svg>',
  query: new URL(location.href).searchParams.get('query') ?? example,
  fetcher: execute,
  // A key in localStorage would outlive the session, and a document in the URL would appear in proxies' logs.
  shouldPersistHeaders: false,
  onEditQuery: () => {}
})
