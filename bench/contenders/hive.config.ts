// Hive Gateway's settings: the fixed header that goes to the upstream.

export const gatewayConfig = {
  propagateHeaders: {
    fromClientToSubgraphs: () => ({ authorization: `Bearer ${process.env.TOKEN}` })
  }
}
