import { paymentProviderContract } from '../contract/payment-provider.ts';
import { openStripeBench } from './stripe-bench.ts';

paymentProviderContract('Stripe', () => openStripeBench());
