import { scanEndpoint } from './scanner';
import { makeTaskHandler } from './task-handler';

/** Entry of a worker thread. */
export default makeTaskHandler(scanEndpoint);
