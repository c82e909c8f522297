// Runs a program that ends with whoever started it, on every platform: when standard input ends, because it was closed or because its other end is gone
// without a word, the program is asked to end, and after five seconds made to. usage: node child.mjs PROGRAM [ARGUMENT…]
import { spawn } from 'node:child_process';

const [program, ...programArguments] = process.argv.slice(2);
const child = spawn(program, programArguments, { stdio: ['ignore', 'inherit', 'inherit'], windowsHide: true });
let isStopping = false;

function stop() {
  if (isStopping) return;
  isStopping = true;
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), 5000);
}

process.stdin.on('end', stop).on('error', stop).resume();
process.on('SIGTERM', stop).on('SIGHUP', stop);
process.on('SIGINT', () => {}); // A terminal sends it to the program as well, which ends by itself.
child.on('error', error => {
  console.error(`${program} cannot be started: ${error.message}`);
  process.exit(127);
});
child.on('exit', code => process.exit(code ?? 1));
