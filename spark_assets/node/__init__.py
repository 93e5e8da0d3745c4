"""What a node of the cluster needs before its first job: packages, and the script that installs."""
