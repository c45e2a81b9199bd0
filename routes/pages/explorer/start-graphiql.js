// Runs in the browser: starts GraphiQL on this service's /execute-graphql. What is typed stays in the page and its browser.
const folder = document.currentScript.src.replace(/[^/]*$/, '')
const workers = { editorWorkerService: 'editor', json: 'json', graphql: 'graphql' }

self.MonacoEnvironment = { globalAPI: false, getWorkerUrl: (_, label) => `${folder}${workers[label]}.worker.js` }

const ACCEPT = 'application/graphql-response+json, application/json, text/event-stream'

/** The answers of a subscription, until it completes or the reader has enough, which ends the request. */
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
    // What a browser was given for the page by Basic goes with it.
    credentials: 'same-origin',
    headers: { accept: ACCEPT, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables, operationName })
  })
  if (answer.headers.get('content-type')?.startsWith('text/event-stream')) return readEvents(answer.body)
  // Not answer.json(): the JSON of this page keeps numbers beyond 2^53.
  return JSON.parse(await answer.text())
}

const example = `# Ctrl-Enter runs it, Ctrl-Space completes.
# Credentials go below, under Headers:
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
  // A key in localStorage would outlive the session, and a document in the address would be in every proxy's log.
  shouldPersistHeaders: false,
  onEditQuery: () => {}
})
