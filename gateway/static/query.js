// What this tab holds of the query shown, and no address can.

export const query = {
  uploads: [], // its uploaded photos: {file, isNegative}, the positive ones first
  picture: "", // object URL of a single one
  notes: [], // sentences about them
  box: null, // RegionBox on its photo
};
