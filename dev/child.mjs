// Runs a program that ends with whoever started it, on every platform: when standard input ends, because it was closed or because its other end is gone
// without a word, the program is asked to end, and after five seconds made to. usage: node child.mjs PROGRAM [ARGUMENT…]
import { spawn } from 'node:child_process';

const [program, ...programArguments] = process.argv.slice(2);
const child = spawn(program, programArguments, {
  stdio: ['ignore', 'inherit', 'inherit'], windowsHide: true,
  detached: process.platform !== 'win32', // a group of its own, so that what the program starts ends with it
});
let isStopping = false;

function stop() {
  if (isStopping) return;
  isStopping = true;
  kill('SIGTERM');
  setTimeout(() => kill('SIGKILL'), 5000);
}

function kill(signal) {
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // It has ended.
  }
}

process.stdin.on('end', stop).on('error', stop).resume();
process.on('SIGTERM', stop).on('SIGHUP', stop);
process.on('SIGINT', () => {}); // A terminal sends it to whoever started us too, and that ends us.
child.on('error', error => {
  console.error(`${program} cannot be started: ${error.message}`);
  process.exit(127);
});
child.on('exit', code => {
  kill('SIGKILL');
  process.exit(code ?? 1);
});
