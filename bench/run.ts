import { benchDesk } from './desk';
import { benchScan } from './scan';
import { limitTime } from './support/processes';

const AREAS = { scan: benchScan, desk: benchDesk };
const USAGE = 'npm run bench -- scan|desk [section…] [--quick]';
const LIMIT_MINUTES = 20;

async function main(): Promise<void> {
  const given = process.argv.slice(2);
  const isQuick = given.includes('--quick');
  const [area = '', ...names] = given.filter(argument => argument !== '--quick');
  if (!isArea(area) || names.some(name => name.startsWith('-'))) throw new Error(`Usage: ${USAGE}`);
  limitTime(LIMIT_MINUTES);
  console.log(`npm run bench -- ${given.join(' ')}`);
  await AREAS[area](names, { isQuick });
}

function isArea(area: string): area is keyof typeof AREAS {
  return Object.hasOwn(AREAS, area);
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
