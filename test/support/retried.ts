import type { Reporter, TestCase } from 'vitest/node';

/** Prints why a test failed at first that passed when it was tried again: without that nobody learns the cause. */
export default class Retried implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const { state, errors = [] } = test.result();
    if (state !== 'passed') return;
    for (const { message, stack } of errors)
      console.log(`\nfailed at first: ${test.module.relativeModuleId} > ${test.name}\n${message}\n${stack ?? ''}`);
  }
}
