// The viewer's configuration: {{base}}, {{router}} and {{dicomweb}} are filled in by who serves it.
window.config = {
  routerBasename: "{{router}}",
  showStudyList: true,
  extensions: [],
  modes: [],
  investigationalUseDialog: { option: "never" },
  defaultDataSourceName: "dicomweb",
  dataSources: [
    {
      namespace: "@ohif/extension-default.dataSourcesModule.dicomweb",
      sourceName: "dicomweb",
      configuration: {
        friendlyName: "DicomServerless",
        name: "DicomServerless",
        qidoRoot: "{{dicomweb}}",
        wadoRoot: "{{dicomweb}}",
        wadoUriRoot: "{{dicomweb}}/wado",
        qidoSupportsIncludeField: true,
        supportsFuzzyMatching: true,
        supportsWildcard: true,
        imageRendering: "wadors",
        // Drawn by the viewer from frames: that needs nothing rendered by the server.
        thumbnailRendering: "wadors",
        enableStudyLazyLoad: true,
        singlepart: "bulkdata,video,pdf",
        bulkDataURI: { enabled: true },
        omitQuotationForMultipartRequest: true,
      },
    },
  ],
};
