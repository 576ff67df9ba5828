// What does a replica get from outside, to run in a process or in a simulation?

import type { DriverEvents } from './driver-events.js';
import type { Room } from './room.port.js';
import type { Time } from './time.port.js';
import type { PeerTransport } from './transport.port.js';

export interface Outside {
  readonly transport: PeerTransport;
  readonly time: Time;
  readonly events: DriverEvents;
  readonly room: Room;
}
