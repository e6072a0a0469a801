/* One look at the server, and the update when there is something new. */
#pragma once

/* Returns when nothing was installed; restarts into the new app otherwise. */
void update_poll(void);
