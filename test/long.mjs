// `npm run test:long`: the same tests with more rounds.
import { spawnSync } from 'node:child_process';

const ROUNDS = { CERTDESK_FUZZ_ROUNDS: '1000000', CERTDESK_LONG: '1' };
const mocha = ['node_modules/mocha/bin/mocha.js', 'test/**/*.spec.ts'];
const { status } = spawnSync(process.execPath, mocha, { stdio: 'inherit', env: { ...process.env, ...ROUNDS } });
process.exit(status ?? 1);
