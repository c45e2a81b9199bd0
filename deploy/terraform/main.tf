# A user pool for machines, the gateway's app client, and its secret.
terraform {
  required_version = ">= 1.9"
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 6.0" }
  }
}

variable "name" {
  description = "Prefix of the pool's domain; unique within the Region."
  type        = string
}

# A dedicated pool: Hasura gives its role to every app client in the pool.
resource "aws_cognito_user_pool" "machines" {
  name                = var.name
  deletion_protection = "ACTIVE"

  admin_create_user_config {
    allow_admin_create_user_only = true
  }
}

resource "aws_cognito_user_pool_domain" "machines" {
  domain       = var.name
  user_pool_id = aws_cognito_user_pool.machines.id
}

resource "aws_cognito_resource_server" "hasura" {
  identifier   = "hasura"
  name         = "Hasura"
  user_pool_id = aws_cognito_user_pool.machines.id

  scope {
    scope_name        = "read"
    scope_description = "Run operations"
  }
}

resource "aws_cognito_user_pool_client" "gateway" {
  name                                 = "cognito-hasura-gateway"
  user_pool_id                         = aws_cognito_user_pool.machines.id
  generate_secret                      = true
  allowed_oauth_flows                  = ["client_credentials"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_scopes                 = aws_cognito_resource_server.hasura.scope_identifiers
  access_token_validity                = 1

  token_validity_units {
    access_token = "hours"
  }
}

# The state file contains the secret as well: encrypt it, and restrict access to it.
resource "aws_secretsmanager_secret" "gateway" {
  name = "cognito-hasura-gateway"
}

resource "aws_secretsmanager_secret_version" "gateway" {
  secret_id     = aws_secretsmanager_secret.gateway.id
  secret_string = jsonencode({ current = aws_cognito_user_pool_client.gateway.client_secret })
}

data "aws_region" "current" {}

output "settings" {
  description = "The settings of the gateway, except the secret."
  value = {
    AWS_COGNITO_DOMAIN        = "https://${aws_cognito_user_pool_domain.machines.domain}.auth.${data.aws_region.current.region}.amazoncognito.com"
    AWS_COGNITO_APP_CLIENT_ID = aws_cognito_user_pool_client.gateway.id
    AWS_COGNITO_SCOPES        = join(" ", aws_cognito_resource_server.hasura.scope_identifiers)
  }
}

output "hasura_jwt_secret" {
  description = "HASURA_GRAPHQL_JWT_SECRET of Hasura v2, which gives the role `service` to every token of the pool."
  value = jsonencode({
    jwk_url      = "https://${aws_cognito_user_pool.machines.endpoint}/.well-known/jwks.json"
    issuer       = "https://${aws_cognito_user_pool.machines.endpoint}"
    allowed_skew = 30
    claims_map = {
      "x-hasura-allowed-roles" = ["service"]
      "x-hasura-default-role"  = "service"
      "x-hasura-client-id"     = { path = "$.client_id" }
    }
  })
}
