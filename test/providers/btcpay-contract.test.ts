import { paymentProviderContract } from '../contract/payment-provider.ts';
import { openBtcpayBench, openInProcessBench } from './btcpay-bench.ts';

paymentProviderContract('BTCPay Server', () => openBtcpayBench());
paymentProviderContract('BTCPay Server without a socket', openInProcessBench);
