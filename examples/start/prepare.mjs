// Makes a bare clone ready: installs what package-lock.json asks for, and compiles, each only where needed.
// Runs before any package is there, so it uses Node.js alone.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const built = join(root, 'dist', '.certdesk-sources');

const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
if (!isInstalled()) {
  console.log('CertDesk: installing packages (npm ci), once …');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}

const sources = createHash('sha256').update(lock).update(listSources().join('\n')).digest('hex');
if (read(built) !== sources) {
  console.log('CertDesk: compiling …');
  run(process.execPath, ['build.mjs']);
  writeFileSync(built, sources);
}

/** Whether node_modules holds every package of the lock file in its version; npm notes there what it installed. */
function isInstalled() {
  const noted = read(join(root, 'node_modules', '.package-lock.json'));
  if (noted === '') return false;
  const installed = JSON.parse(noted).packages;
  return Object.entries(JSON.parse(lock).packages).every(
    ([path, { version, optional }]) => path === '' || optional || installed[path]?.version === version,
  );
}

function read(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** Every file that the build reads, with its size and time. */
function listSources() {
  return ['nodes', 'lib', 'examples', 'icons', 'build.mjs', 'tsconfig.json', 'tsconfig.build.json'].flatMap(name => {
    const path = join(root, name);
    const files = statSync(path).isDirectory()
      ? readdirSync(path, { recursive: true, withFileTypes: true })
          .filter(entry => entry.isFile())
          .map(entry => join(entry.parentPath, entry.name))
      : [path];
    return files.sort().map(file => `${file} ${statSync(file).size} ${statSync(file).mtimeMs}`);
  });
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status === 0) return;
  console.error(
    `CertDesk: ${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}. Mend what it says above and start again.`,
  );
  process.exit(1);
}
