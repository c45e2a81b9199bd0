// Which issuers are Cognito user pools; the settings ask this without loading the verifier.

/** The domains of AWS's partitions (AWS SDKs, "partitions.json"). */
const PARTITIONS =
  'amazonaws\\.com|amazonaws\\.com\\.cn|amazonaws\\.eu|c2s\\.ic\\.gov|sc2s\\.sgov\\.gov|cloud\\.adc-e\\.uk|csp\\.hci\\.ic\\.gov'

/** A user pool's issuer of either kind (Amazon Cognito, "Verifying JSON web tokens"). */
export const COGNITO_ISSUER = new RegExp(`^https://(issuer-)?cognito-idp\\.[a-z0-9-]+\\.(${PARTITIONS})/[\\w-]+_\\w+$`)
