// package.json maps this name to bare-fs on Bare, and to Node's module elsewhere (without `node:`,
// which Node 20 refuses in such a map). TypeScript does not follow a map to a built-in module.
declare module '#fs' {
  export * from 'node:fs/promises'
}

// `dgram` on Node, `bare-dgram` on Bare: of both what is used here.
declare module '#dgram' {
  export interface Socket {
    on(event: 'error', listener: (error: Error) => void): this
    on(event: 'message', listener: (message: Uint8Array, from: { readonly address: string; readonly port: number }) => void): this
    bind(port: number, address: string, onlistening: () => void): this
    addMembership(group: string, interfaceAddress: string): void
    setMulticastInterface(interfaceAddress: string): void
    setMulticastTTL(ttl: number): void
    send(message: Uint8Array, port: number, address: string, onsent: (error: Error | null) => void): void
    close(onclose: () => void): void
  }
  export function createSocket(options: { readonly type: 'udp4'; readonly reuseAddr: boolean }): Socket
}

// `net` on Node, `bare-tcp` on Bare: of both what is used here.
declare module '#tcp' {
  export interface Socket {
    on(event: 'data', listener: (bytes: Uint8Array) => void): this
    on(event: 'error', listener: (error: Error) => void): this
    on(event: 'drain' | 'end' | 'close', listener: () => void): this
    off(event: 'data', listener: (bytes: Uint8Array) => void): this
    setNoDelay(isOn: boolean): this
    /** False asks the caller to wait for `drain`. */
    write(bytes: Uint8Array): boolean
    end(): this
    pause(): this
    resume(): this
    destroy(): this
  }
  export interface Server {
    on(event: 'error', listener: (error: Error) => void): this
    on(event: 'close', listener: () => void): this
    listen(port: number, host: string, onlistening: () => void): this
    address(): { readonly port: number }
    close(): this
  }
  export function createConnection(options: { readonly port: number; readonly host: string }): Socket
  export function createServer(onconnection: (socket: Socket) => void): Server
}

// `ws` on Node, `bare-ws` on Bare: of each what is used here, and one of the two is there.
declare module '#websocket' {
  interface Stream {
    on(event: string, listener: (...args: never[]) => void): unknown
    destroy(error?: Error): void
  }
  interface Limits {
    readonly maxPayload: number
    readonly perMessageDeflate?: boolean
  }
  // ws
  export const WebSocket: (new (url: string, options: Limits) => { readonly binaryType: string }) | undefined
  export function createWebSocketStream(socket: object): Stream
  // bare-ws, which is no ES module
  const bareWs: { readonly Socket: new (options: object) => Stream }
  export default bareWs
}
