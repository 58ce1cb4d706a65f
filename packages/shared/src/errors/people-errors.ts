import { EXIT } from './exit-codes.ts';

/** Failures of signing in, of accounts and of the audit log; a part of the catalogue. */
export const PEOPLE_ERRORS = {
  sign_in_failed: {
    http: 401,
    exit: EXIT.revoked,
    en: [
      'Signing in did not work.',
      'Check name, password and code. An administrator can make a link for a new password.',
    ],
    es: [
      'No se pudo iniciar sesión.',
      'Revise nombre, contraseña y código. Un administrador puede crear un enlace para una nueva contraseña.',
    ],
  },
  not_signed_in: {
    http: 401,
    exit: EXIT.revoked,
    en: ['Nobody is signed in, or the session has ended.', 'Sign in again.'],
    es: ['No hay sesión iniciada, o la sesión terminó.', 'Inicie sesión otra vez.'],
  },
  too_many_attempts: {
    http: 429,
    exit: EXIT.failed,
    retryable: true,
    en: ['There were too many attempts.', 'Try again in {seconds} seconds.'],
    es: ['Hubo demasiados intentos.', 'Vuelva a intentar en {seconds} segundos.'],
  },
  fresh_proof_needed: {
    http: 403,
    exit: EXIT.failed,
    en: [
      'This wants a proof that it is really you, not older than {minutes} minutes.',
      'Give your password, code or passkey again. API tokens cannot do this.',
    ],
    es: [
      'Esto requiere comprobar que es usted, hace no más de {minutes} minutos.',
      'Indique otra vez su contraseña, código o llave de acceso. Los tokens de API no pueden hacerlo.',
    ],
  },
  second_factor_needed: {
    http: 403,
    exit: EXIT.failed,
    en: [
      'This account needs a second factor before it may do anything.',
      'Add an authenticator app or a passkey.',
    ],
    es: [
      'Esta cuenta necesita un segundo factor antes de poder hacer algo.',
      'Agregue una aplicación de autenticación o una llave de acceso.',
    ],
  },
  cross_site: {
    http: 403,
    exit: EXIT.failed,
    en: [
      'The request does not come from the pages of this server.',
      'Open the server at its public address, {address}.',
    ],
    es: [
      'La solicitud no viene de las páginas de este servidor.',
      'Abra el servidor en su dirección pública, {address}.',
    ],
  },
  link_invalid: {
    http: 410,
    exit: EXIT.failed,
    en: ['This link or token does not work: it was used, replaced, or has expired.', 'Ask for a new one.'],
    es: ['Este enlace o token no sirve: fue usado, reemplazado o venció.', 'Pida uno nuevo.'],
  },
  password_unsuitable: {
    http: 422,
    exit: EXIT.usage,
    en: ['This password will not do: {problem}', 'Take a longer one, such as four or five random words.'],
    es: ['Esta contraseña no sirve: {problem}', 'Elija una más larga, como cuatro o cinco palabras al azar.'],
  },
  code_wrong: {
    http: 422,
    exit: EXIT.failed,
    en: [
      'The code is wrong, was used, or is too old.',
      'Wait for the next one; check the clock of the phone.',
    ],
    es: [
      'El código es incorrecto, ya fue usado o es muy viejo.',
      'Espere el próximo; revise la hora del teléfono.',
    ],
  },
  passkey_invalid: {
    http: 422,
    exit: EXIT.failed,
    en: ['The passkey was not accepted.', 'Begin again.'],
    es: ['No se aceptó la llave de acceso.', 'Comience otra vez.'],
  },
  last_admin: {
    http: 409,
    exit: EXIT.failed,
    en: ['{login} is the last administrator there.', 'Make another one first.'],
    es: ['{login} es el último administrador.', 'Cree otro primero.'],
  },
  limit_reached: {
    http: 409,
    exit: EXIT.failed,
    en: ['There are {limit} of them already: {what}.', 'Remove one that is not needed.'],
    es: ['Ya hay {limit}: {what}.', 'Quite alguno que no necesite.'],
  },
} as const;
