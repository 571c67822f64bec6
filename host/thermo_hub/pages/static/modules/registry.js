// The pages there are. `at` matches an address, `show` lists it in the navigation for these roles.

export const PAGES = [
  { name: "wall", at: /^\/$/, link: "/", title: "Live", roles: ["wearer", "carer", "clinician"] },
  { name: "wearable", at: /^\/wearable\/([^/]+)$/, title: "Wearable", roles: ["wearer", "carer", "clinician"] },
  { name: "me", at: /^\/me(?:\/([^/]+))?$/, link: "/me", title: "Me", roles: ["wearer"] },
  { name: "trends", at: /^\/trends(?:\/([^/]+))?$/, link: "/trends", title: "Trends", roles: ["wearer", "carer", "clinician", "researcher"] },
  { name: "alerts", at: /^\/alerts(?:\/([^/]+))?$/, link: "/alerts", title: "Alerts", roles: ["wearer", "carer", "clinician"] },
  { name: "recordings", at: /^\/recordings(?:\/([^/]+))?$/, link: "/recordings", title: "Recordings", roles: ["wearer", "carer", "clinician", "researcher"] },
  { name: "sharing", at: /^\/sharing(?:\/([^/]+))?$/, link: "/sharing", title: "Sharing", roles: ["wearer", "carer", "clinician", "administrator"] },
  { name: "review", at: /^\/review(?:\/([^/]+))?$/, link: "/review", title: "Review", roles: ["clinician", "researcher"] },
  { name: "devices", at: /^\/devices(?:\/([^/]+))?$/, link: "/devices", title: "Devices", roles: ["engineer", "administrator"] },
  { name: "accounts", at: /^\/accounts$/, link: "/accounts", title: "Accounts", roles: ["wearer", "carer", "clinician", "researcher", "engineer", "administrator"] },
];
