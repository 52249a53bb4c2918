import { onAbort, throwIfAborted, type EventSource } from '@covey/core'
import type { RoomEvents } from '../room.js'

/** Resolves when `check` does, which is asked now and after every change of the room. */
export type Until = <Value>(check: () => Promise<Value | undefined>, signal?: AbortSignal) => Promise<Value>

/** @param assertOpen throws when the room is closed. */
export function createUntil(events: EventSource<RoomEvents>, assertOpen: () => void): Until {
  return async (check, signal) => {
    let wake = (): void => undefined
    const stops = [
      events.on('update', () => wake()),
      events.on('close', () => wake()),
      onAbort(signal, () => wake())
    ]
    try {
      for (;;) {
        throwIfAborted(signal)
        assertOpen()
        const woken = new Promise<void>((resolve) => (wake = resolve))
        const value = await check()
        if (value !== undefined) return value
        await woken
      }
    } finally {
      for (const stop of stops) stop()
    }
  }
}
