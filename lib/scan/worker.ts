import { scanEndpoint } from './scanner';
import { serve } from './serve';

/** Entry of a worker thread. */
serve(scanEndpoint);
