/** The appliance's service time in milliseconds since 1970: it is given to whoever needs it, never asked of the system. */
export type Clock = () => number;
