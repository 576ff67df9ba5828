// What goes to the log besides our own lines? Nest's errors and warnings, but not its hundred lines on wiring itself.

import { ConsoleLogger } from '@nestjs/common';

const WIRING: readonly unknown[] = [
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
];

export class NodeLogger extends ConsoleLogger {
  constructor(name: string, isTerminal: boolean) {
    super({ prefix: name, colors: isTerminal, logLevels: ['log', 'warn', 'error', 'fatal'] });
  }

  override log(message: unknown, ...rest: unknown[]): void {
    if (!WIRING.includes(rest.at(-1))) super.log(message, ...(rest as [string]));
  }
}
