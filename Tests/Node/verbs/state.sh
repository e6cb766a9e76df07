# Where a node's state is: log/ (containerd's and the pods'), containerd/ and zeropod/ (as in /var/lib).
check_name "${1:-}"
state_of "$1"
echo
