/** The command line, the configuration or the machine prevents the command from running; the process exits with `status`. */
export class Quit extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}
