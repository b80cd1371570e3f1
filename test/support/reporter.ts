import Mocha from 'mocha';
import { skipReasons } from './skip';

/** mocha's `spec`, and at the end what was skipped and why, then the counts alone on a line. */
export = class Reporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    runner.once('end', () => {
      const { passes, failures, pending } = this.stats;
      setImmediate(() => {
        if (pending > 0) console.log('Skipped:');
        for (const reason of skipReasons) console.log(`  ${reason}`);
        console.log(`${passes} passed, ${failures} failed, ${pending} skipped`);
      });
    });
  }
};
