/** Begins the process anew with one malloc arena where that saves memory. */
export function shareOneArena(): void;
