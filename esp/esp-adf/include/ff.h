/* FatFs: sources that include it get nothing from it here; files are the host's. */
#pragma once
