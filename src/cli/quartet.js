#!/usr/bin/env node
// The command `quartet`. Plain JavaScript, because the first line of a command belongs to the operating system.

import { runHere } from './command-line.js';

process.exitCode = await runHere(process);
