// Compiles the simulator and runs one of its commands: node test/simulation/launch.mjs simulate|mutate [options]

import { rmSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { checkPatches, compile } from './compile.mjs';

const [command = 'simulate', ...rest] = process.argv.slice(2);
process.argv.splice(2, Infinity, ...rest);
process.setSourceMapsEnabled(true);
const folder = compile(`${command}-${process.pid}`);
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const { main } = await import(pathToFileURL(`${folder}/test/simulation/${command}.js`).href);
await main(compile, checkPatches);
