/** A key that nobody has the private half of. */
export const PUBLIC_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG1lZ9Kkk3Yk8cCVyc0mHv8Oj8vJ3bT4sIuWq1mO6d2f ada@laptop';
