// package.json maps these names to modules of Bare on Bare, and to Node's elsewhere (without `node:`,
// which Node 20 refuses in such a map). TypeScript does not follow a map to a built-in module.
declare module '#fs' {
  export * from 'node:fs/promises'
}
declare module '#http' {
  export * from 'node:http'
}
declare module '#os' {
  export * from 'node:os'
}
declare module '#process' {
  export { default } from 'node:process'
}

// `ws` on Node, `bare-ws` on Bare: of each what is used here, and one of the two is there.
declare module '#websocket-server' {
  interface Options {
    readonly server: object
    readonly maxPayload: number
    readonly perMessageDeflate?: boolean
  }
  interface Server {
    on(event: 'connection', listener: (socket: object) => void): unknown
    on(event: 'error', listener: (error: Error) => void): unknown
  }
  // ws
  export const WebSocketServer: (new (options: Options) => Server) | undefined
  export function createWebSocketStream(socket: object): object
  // bare-ws, which is no ES module
  const bareWs: { readonly Server: new (options: Options) => Server }
  export default bareWs
}
