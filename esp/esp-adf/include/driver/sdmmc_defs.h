/* Commands of SD cards: none is sent here. */
#pragma once
