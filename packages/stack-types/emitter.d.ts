// Not a module of the stack: the shape of Node's EventEmitter, closed over the events that a class
// emits. @types/node accepts any event name even on a typed emitter, so it cannot be used here.
declare module '@covey/stack-types/emitter' {
  export {}

  type Listener<Args> = Args extends readonly unknown[] ? (...args: Args) => void : never
  type Arguments<Args> = Args extends readonly unknown[] ? Args : never

  export class TypedEmitter<Events> {
    on<Name extends keyof Events>(event: Name, listener: Listener<Events[Name]>): this
    once<Name extends keyof Events>(event: Name, listener: Listener<Events[Name]>): this
    off<Name extends keyof Events>(event: Name, listener: Listener<Events[Name]>): this
    addListener<Name extends keyof Events>(event: Name, listener: Listener<Events[Name]>): this
    removeListener<Name extends keyof Events>(event: Name, listener: Listener<Events[Name]>): this
    removeAllListeners(event?: keyof Events): this
    emit<Name extends keyof Events>(event: Name, ...args: Arguments<Events[Name]>): boolean
    listenerCount(event: keyof Events): number
  }

  export interface ReadyEvents {
    ready: []
    close: []
  }

  /** ready-resource 1.2, whose own types know no events. */
  export class ReadyResource<Events = ReadyEvents> extends TypedEmitter<Events> {
    opening: Promise<void> | null
    closing: Promise<void> | null
    opened: boolean
    closed: boolean
    /** May be called any number of times; a closed one cannot open again. */
    ready(): Promise<void>
    /** May be called any number of times. */
    close(): Promise<void>
  }
}
