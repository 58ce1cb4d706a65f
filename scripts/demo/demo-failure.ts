/** Something that the demo promises did not hold, or could not be tried. The message is for people. */
export class DemoFailure extends Error {
  override readonly name = 'DemoFailure';
}
