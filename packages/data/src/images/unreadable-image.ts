/** UnreadableImage: one image file that cannot be read, and why, so that who reads many can pass it over. */
import { DataError } from '@meanflow/core';

/** An image file that is none, is damaged, or larger than allowed. */
export class UnreadableImage extends DataError {
  /**
   * @param file its path or name
   * @param reason without the name: `the JPEG image is damaged (…)`
   */
  constructor(
    readonly file: string,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`${file}: ${reason}.`, options);
  }

  override get name(): string {
    return 'UnreadableImage';
  }
}
