// `node tie.ts <program> [argument …]`, started with an IPC channel: the program and its children end when the channel closes.
import { spawn } from 'node:child_process'

const [program = '', ...args] = process.argv.slice(2)
const child = spawn(program, args, { detached: true, stdio: ['ignore', 'inherit', 'inherit'] })
child.once('error', error => console.error(error))
child.once('exit', code => process.connected && process.send?.({ code }))
process.on('SIGTERM', () => child.kill('SIGTERM'))
process.once('disconnect', () => {
  try {
    // The program leads its own process group.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
})
