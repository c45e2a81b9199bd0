// Hive Gateway's settings: a fixed header for the upstream.

export const gatewayConfig = {
  propagateHeaders: {
    fromClientToSubgraphs: () => ({ authorization: `Bearer ${process.env.TOKEN}` })
  }
}
