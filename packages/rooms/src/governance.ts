import type { AuditEntry, AuditLogOptions } from './audit.js'
import type { MessageReport, ReportOptions, ResolveReportOptions } from './report.js'
import type { Role } from './roles.js'
import type { CallOptions, RemoveOptions } from './room.js'
import type { RoomRules } from './rules.js'

/** What members with a role for it do to a room and to those who are in it. */
export interface RoomGovernance {
  /**
   * Gives a member another role, below one's own. What a member does meanwhile with a role that is
   * taken away is void, even where it comes first in the order of the room.
   *
   * @throws {RoomError} MEMBER_NOT_FOUND, ROOM_FORBIDDEN for members below admin, and for acting on
   *   somebody whose role is not below one's own
   */
  setRole(memberId: string, role: Exclude<Role, 'owner'>, options?: CallOptions): Promise<void>
  /**
   * Stops a member from sending messages, until {@link unmute}.
   *
   * @throws {RoomError} MEMBER_NOT_FOUND, ROOM_FORBIDDEN for members below moderator
   */
  mute(memberId: string, options?: CallOptions): Promise<void>
  /** @throws {RoomError} MEMBER_NOT_FOUND, ROOM_FORBIDDEN for members below moderator */
  unmute(memberId: string, options?: CallOptions): Promise<void>
  /**
   * Removes a member and all of its devices, and changes the key of the room: what is sent by those who
   * know of the removal, the removed cannot read. What they could read before, they can keep.
   *
   * @throws {RoomError} MEMBER_NOT_FOUND, ROOM_FORBIDDEN for members below moderator, or for who is banned already
   */
  remove(memberId: string, options?: RemoveOptions): Promise<void>
  /** Lifts a ban; the person still needs an invite. @throws {RoomError} ROOM_FORBIDDEN */
  unban(memberId: string, options?: CallOptions): Promise<void>
  /**
   * Makes another member the owner; who was, is an admin from then on.
   *
   * @throws {RoomError} MEMBER_NOT_FOUND, ROOM_FORBIDDEN for all but the owner
   */
  transferOwnership(memberId: string, options?: CallOptions): Promise<void>
  /**
   * Gives the room another name.
   *
   * @param name 1 byte to {@link MAX_NAME_BYTES} as UTF-8.
   * @throws {RoomError} ROOM_FORBIDDEN for members below admin
   */
  rename(name: string, options?: CallOptions): Promise<void>
  /**
   * Changes what the room asks of its members; what is not named stays as it is. Of two changes of one rule the later
   * in the room's order holds.
   *
   * @throws {RoomError} ROOM_FORBIDDEN for members below admin
   */
  setRules(rules: Partial<RoomRules>, options?: CallOptions): Promise<void>
  /**
   * Names the mirrors of the room, in place of those before: blind machines that hold it for all of its members, so
   * that who comes while nobody else is there finds what was said. Members alone can read which they are. A peer of
   * `covey` has them hold the room, unless it was told not to; each of them sees the addresses of the members' devices.
   *
   * @param links what the mirrors print, at most {@link MAX_ROOM_MIRRORS}; none for a room without.
   * @throws {CoreError} LINK_… for a text that is no whole link of a mirror
   * @throws {RoomError} ROOM_FORBIDDEN for members below admin
   */
  setMirrors(links: readonly string[], options?: CallOptions): Promise<void>
  /**
   * Names the devices that settle the order of the room: one, or three, of which two are enough. The first goes on alone
   * where one of three may not any more. It is settled when the present ones have signed it, so that a quorum of them has to be there;
   * every device then writes the room's view to its disk once more.
   *
   * @param devices the ids of devices of the owner and admins, which have written something. The owner names whom they
   *   like; an admin names three of as many people, but for the owner, and leaves in those of the owner's.
   * @throws {RoomError} DEVICE_NOT_FOUND, ROOM_FORBIDDEN for members below admin, and for what an admin may not name
   */
  setIndexers(devices: readonly string[], options?: CallOptions): Promise<void>
  /**
   * Tells the moderators of a message. They alone can read what it is about; that somebody has reported something is in
   * the log for all.
   *
   * @throws {RoomError} MESSAGE_NOT_FOUND, TOO_MANY_REPORTS where 16 of one's own wait, ROOM_NOT_WRITABLE for readers of a
   *   broadcast room
   */
  report(id: string, options?: ReportOptions): Promise<void>
  /** What was reported and waits, oldest first. @throws {RoomError} ROOM_FORBIDDEN for members below moderator */
  reports(): Promise<MessageReport[]>
  /**
   * Takes a report out of the queue, on every device, after something was done about it.
   *
   * @throws {RoomError} REPORT_NOT_FOUND, ROOM_FORBIDDEN for members below moderator; with an action what `delete`,
   *   {@link mute} and {@link remove} throw, and MESSAGE_NOT_FOUND where this device cannot read the report
   */
  resolveReport(id: string, options?: ResolveReportOptions): Promise<void>
  /**
   * Who did what to whom by their role, in the room's order, the last entries last; what was refused, or turned out
   * to be void, is not among them. It is the room's log itself: all members can read it, and nobody can change it.
   */
  auditLog(options?: AuditLogOptions): Promise<AuditEntry[]>
}
