/** BTCPay Server's "no". Thrown by handlers, written as its error body by the API. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly body: object;

  constructor(status: number, body: object) {
    super(`answered with ${status}`);
    this.status = status;
    this.body = body;
  }
}

export const problem = (status: number, code: string, message: string): ApiError =>
  new ApiError(status, { code, message });

/** What is wrong with a request, by the path of the field. */
export const invalid = (path: string, message: string): ApiError => new ApiError(422, [{ path, message }]);

export const missing = (noun: string): ApiError => problem(404, `${noun}-not-found`, `The ${noun} was not found`);
