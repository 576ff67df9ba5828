// Which bytes of a connection are bodies? One direction of HTTP/1.1, followed from head to head by `Content-Length`.

const HEAD_END = '\r\n\r\n';

export class BodyMeter {
  private head: Buffer = Buffer.alloc(0);
  private bodyLeft = 0;

  /** What these bytes, the next of this direction, hold: bytes of bodies, and heads that end in them. */
  take(piece: Buffer): { readonly bodyBytes: number; readonly messages: number } {
    let [bodyBytes, messages] = [0, 0];
    let rest = piece;
    while (rest.length > 0) {
      if (this.bodyLeft > 0) {
        const taken = Math.min(this.bodyLeft, rest.length);
        bodyBytes += taken;
        this.bodyLeft -= taken;
        rest = rest.subarray(taken);
        continue;
      }
      const before = this.head.length;
      this.head = Buffer.concat([this.head, rest]);
      const end = this.head.indexOf(HEAD_END);
      if (end < 0) break;
      messages++;
      this.bodyLeft = bodyLength(this.head.toString('latin1', 0, end));
      rest = rest.subarray(end + HEAD_END.length - before);
      this.head = Buffer.alloc(0);
    }
    return { bodyBytes, messages };
  }
}

function bodyLength(head: string): number {
  // Replicas announce the length of all they send; figures that leave out bodies would be too good.
  if (/^transfer-encoding:/im.test(head)) throw new Error(`a body of unknown length can’t be counted: ${head}`);
  return Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
}
