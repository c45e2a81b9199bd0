// Decorates the instance with the settings, checked before it was made.
import fp from 'fastify-plugin'
import type { Settings } from '../src/settings.ts'

export default fp<{ settings: Settings }>(
  async (app, { settings }) => {
    app.decorate('config', settings)
  },
  { name: 'config' }
)
