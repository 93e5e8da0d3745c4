"""What an operator does around the CDK: looks before a deployment, ends runs before a deletion."""
