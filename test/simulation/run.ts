// The simulator as a program of its own: what the mutants are run with.

import { main } from './simulate.js';

await main();
