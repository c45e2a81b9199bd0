// Loaded with `--import`: writes at each SIGURG how V8 sees the memory of the process. JavaScript, so that it brings no part of Node of its own.
process.on('SIGURG', () => {
  const v8 = process.getBuiltinModule('node:v8')
  const report = { usage: process.memoryUsage(), spaces: v8.getHeapSpaceStatistics(), code: v8.getHeapCodeStatistics() }
  process.stderr.write(`memory ${JSON.stringify(report)}\n`)
})
