"""`python -m thermo_hub.route_table` prints the table of routes and roles, as docs/hub-roles.md has it."""

from thermo_hub.app import routes
from thermo_hub.security.matrix import markdown, matrix

if __name__ == "__main__":
    print(markdown(matrix(routes())), end="")
