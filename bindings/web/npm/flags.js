#!/usr/bin/env node
// Prints the flags of emcc for this package: emcc game.c $(npx wspeer-web) -o game.html
import { compileFlags, linkFlags } from './index.js';

console.log([...compileFlags(), ...linkFlags()].join(' '));
