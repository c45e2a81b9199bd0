// Recognizes issuers that are Cognito user pools; in a file of its own so that the settings need not load the verifier.

/** The domains of AWS's partitions (AWS SDKs, "partitions.json"). */
const PARTITIONS =
  'amazonaws\\.com|amazonaws\\.com\\.cn|amazonaws\\.eu|c2s\\.ic\\.gov|sc2s\\.sgov\\.gov|cloud\\.adc-e\\.uk|csp\\.hci\\.ic\\.gov'

/** Matches both forms of a user pool's issuer (Amazon Cognito, "Verifying JSON web tokens"). */
export const COGNITO_ISSUER = new RegExp(`^https://(issuer-)?cognito-idp\\.[a-z0-9-]+\\.(${PARTITIONS})/[\\w-]+_\\w+$`)
