// Loaded into a service that a test starts as a process: it ends with the test, and never sheds load.
import { createRequire } from 'node:module'
import './end-with-parent.ts'

// On a busy machine the event loop is seconds late; @fastify/under-pressure takes its delay from here.
createRequire(import.meta.url)('node:perf_hooks').monitorEventLoopDelay = () => ({ enable() {}, reset() {}, disable() {}, mean: 0 })
