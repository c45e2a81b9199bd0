// Loaded with `--import`: writes V8's memory statistics at each SIGURG. JavaScript, so that it loads no other part of Node.
process.on('SIGURG', () => {
  const v8 = process.getBuiltinModule('node:v8')
  const report = { usage: process.memoryUsage(), spaces: v8.getHeapSpaceStatistics(), code: v8.getHeapCodeStatistics() }
  process.stderr.write(`memory ${JSON.stringify(report)}\n`)
})
